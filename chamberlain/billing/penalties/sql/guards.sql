-- A penalty's cause is never changed or taken away.
CREATE TRIGGER penalties_penalty_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON penalties_penalty
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
