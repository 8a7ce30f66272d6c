"""A loopback exchange: the truth as a pure state machine, an evil twin that lies about it, and ways to speak to both.

truth.py    what the exchange would swear to: positions, cash, fills, funding; time is given to every call
tape.py     the history it walks through;  batch.py  what the fills of one cycle cost
evil.py     faults by name, drawn from a seed and counted;  twin.py  the way to the truth and back, with those faults
memory.py   a Venue in this process, for virtual time
http.py     a server on 127.0.0.1 that speaks like Purple Flea and like Hyperliquid

Everything here is simulated: nothing in this folder ever talks to an exchange.
"""
