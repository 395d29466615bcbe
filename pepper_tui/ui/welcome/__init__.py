"""The first start on screen."""
