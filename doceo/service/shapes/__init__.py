"""What requests hold and responses show, where a route's own file would be too long for it."""
