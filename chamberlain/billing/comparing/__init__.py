"""Why a bill is what it is: against others, against its reads and rates, against its neighbours."""
