-- A transfer that a deed brought about is never changed or taken away.

CREATE TRIGGER certificates_deed_kept BEFORE UPDATE OR DELETE OR TRUNCATE
    ON certificates_deedtransfer
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
