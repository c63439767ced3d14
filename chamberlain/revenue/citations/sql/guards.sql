-- What happened to a citation stays; a boot is released once.

CREATE FUNCTION citations_guard_boot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.released_on IS NOT NULL OR (NEW.plate, NEW.account_id, NEW.eligible, NEW.place,
            NEW.booted_on, NEW.booted_by_id)
        IS DISTINCT FROM (OLD.plate, OLD.account_id, OLD.eligible, OLD.place, OLD.booted_on,
            OLD.booted_by_id) THEN
        RAISE EXCEPTION 'Boot % may not be changed so.', OLD.id USING ERRCODE = 'LG001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER citations_event_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON citations_citationevent
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER citations_citation_kept BEFORE DELETE OR TRUNCATE ON citations_citation
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER citations_boot_rules BEFORE UPDATE ON citations_boot
    FOR EACH ROW EXECUTE FUNCTION citations_guard_boot();
CREATE TRIGGER citations_boot_kept BEFORE DELETE OR TRUNCATE ON citations_boot
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- Every citation has its stage from the first moment, however it was entered.
CREATE FUNCTION citations_start() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO citations_citation (obligation_id, plate, stage, base_on)
        SELECT id, left(regexp_replace(upper(regexp_replace(subject, '^[Pp]late ', '')),
            '[^A-Z0-9]', '', 'g'), 12), 'issued', arose_on
        FROM added WHERE kind = 'citation';
    RETURN NULL;
END $$;

CREATE TRIGGER citations_obligation_starts AFTER INSERT ON revenue_obligation
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION citations_start();

INSERT INTO citations_citation (obligation_id, plate, stage, base_on)
    SELECT id, left(regexp_replace(upper(regexp_replace(subject, '^[Pp]late ', '')),
        '[^A-Z0-9]', '', 'g'), 12), 'issued', arose_on
    FROM revenue_obligation WHERE kind = 'citation';
