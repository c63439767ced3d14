-- A drawer is counted by surprise by another than its cashier, and the count stays.

CREATE FUNCTION safe_guard_surprise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.counted_by_id = (SELECT cashier_id FROM cashiering_tillsession
            WHERE id = NEW.session_id) THEN
        RAISE EXCEPTION 'A drawer is counted by surprise by another than its cashier.'
            USING ERRCODE = 'CS003';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER safe_surprise_rules BEFORE INSERT ON safe_surprisecount
    FOR EACH ROW EXECUTE FUNCTION safe_guard_surprise();
CREATE TRIGGER safe_surprise_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON safe_surprisecount
    FOR EACH STATEMENT EXECUTE FUNCTION cashiering_refuse_change();
