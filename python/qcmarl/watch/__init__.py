"""Battles one can watch: recordings as plain data, drawn as a page for the browser or as an animated picture.

Called by `qcmarl replay` and `qcmarl play`. See docs/watching.md.
"""
