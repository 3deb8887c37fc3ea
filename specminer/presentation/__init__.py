"""What people see of a specification: pictures (:mod:`.drawing`), reports (:mod:`.page`, :mod:`.markdown`) and texts.

A report is a document first (:mod:`.report_document`), rendered in several forms. Texts for the terminal are made in
:mod:`.first_screen` and :mod:`.summary`. All that comes from a chain is made safe where it enters a text.
"""
