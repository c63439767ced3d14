"""The demonstration's check service: a process of its own that speaks real HTTP.

It shares no code with the office; they know one secret. It knows no bank: what it answers is in
the last digits of the account, see `server.ANSWERS`.
"""
