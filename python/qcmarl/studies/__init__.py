"""Studies: many runs, what is measured on them, and reports of what was found. See docs/study.md."""
