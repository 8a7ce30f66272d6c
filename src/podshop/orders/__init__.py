"""The life of an order at a venue that loses replies: docs/live.md, sections 2 to 4, as pure functions.

line.py     one coin: what is booked, in flight, held; facts make it (`fold`)
step.py     one event of one coin, and what is to be done about it;  rows.py  the table, a function a row
events.py, facts.py, effects.py   what happens, what is written down, what is done
reading.py  what an account reading proves;  match.py  whose a fill is
bound.py    where a coin may end, whatever becomes of its orders
terms.py    how long is long enough
"""
