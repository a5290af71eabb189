"""The terminal UI: one screen over a session, with panels, dialogs and jobs; it draws what views say and computes nothing itself."""
