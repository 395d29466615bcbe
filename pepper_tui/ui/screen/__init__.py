"""The Textual screen: the app, its panes, and the parts they share."""
