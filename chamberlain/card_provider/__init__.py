"""The demonstration's provider of card payments: a process of its own that speaks real HTTP.

It shares no code with the office, as a real provider shares none; they know one secret. It takes
no money: every card is made up, and what a card does stands in `sessions.CARDS`.
"""
