"""The dialogs: screens that ask one thing and give one answer."""
