"""Full payment certificates: from the application to the certificate and its verification."""
