"""Where the data lives: the private server, the connection addresses and the two roles."""
