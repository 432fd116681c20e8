"""``holdfast check``: look at the machine and both stores, then judge what was seen in words that say what to mend.

Looking (``look``) and judging (``judge``) are apart: a judge is a pure function of what was read, so every warning can
be tested without breaking a server for it.
"""
