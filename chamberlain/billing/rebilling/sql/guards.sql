-- What was decided stays as it was decided, and a corrected read stays beside the one it corrects.

CREATE FUNCTION rebilling_guard_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.status IN ('posted', 'declined') THEN
        RAISE EXCEPTION 'Rebill % was decided or may not be taken away.', OLD.id
            USING ERRCODE = 'LG001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER rebilling_rebill_kept BEFORE UPDATE OR DELETE ON rebilling_rebill
    FOR EACH ROW EXECUTE FUNCTION rebilling_guard_decided();
CREATE TRIGGER rebilling_correctedread_kept BEFORE UPDATE OR DELETE OR TRUNCATE
    ON rebilling_correctedread FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
