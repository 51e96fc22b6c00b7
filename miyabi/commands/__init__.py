"""The commands of the command line, by subject. Heavy modules are imported inside of them."""
