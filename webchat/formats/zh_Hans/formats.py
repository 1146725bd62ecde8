"""Chinese: in groups of three, as on price lists; Django writes 1000000."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
