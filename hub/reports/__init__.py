"""Findings and receipts turned into what people read: tables, a trend, one HTML file, CSV.

Everything that came from a tool passes `escape` before it becomes Markdown, HTML or a spreadsheet cell.
"""
