"""What each panel draws: pure functions from views and a size to lines, a file a panel."""
