"""What a document holds and shows nobody: comments, text without size, colour or place. One file a format.

Instructions to a model are hidden so in pages and papers; a person who reads the same page does not see them.
"""
