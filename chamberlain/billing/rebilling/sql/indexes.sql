-- Bills that replace others, by their read: a run asks whether a corrected read is billed. There
-- is no such index for other bills, whose reads `read_billed_once` finds.
CREATE INDEX billing_bill_replacing_read ON billing_bill (read_id) WHERE replaces_id IS NOT NULL;
