"""What people see: pictures of automata (:mod:`.drawing`), and reports, pages and texts for terminals."""
