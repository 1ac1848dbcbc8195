"""What the HTML pages share: style sheet, macros, charts, numbers as words. Not what a page says."""
