"""The floor of suppression: no agreement may go below it.

California withholds counts of 10 or fewer persons (CDE, "fscgr16" file notes; CALPADS report conventions), so the
smallest number shown is 11.
"""

MINIMUM_N = 11
