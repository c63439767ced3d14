"""Customer deposits: asked for by the city's rule, held as a liability, and given back."""
