-- A check stays as it was taken; a hold is ended once and otherwise never changed.

CREATE FUNCTION checks_guard_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.approved_by_id IN (SELECT s.cashier_id FROM cashiering_tender t
            JOIN cashiering_receipt r ON r.id = t.receipt_id
            JOIN cashiering_tillsession s ON s.id = r.session_id WHERE t.id = NEW.tender_id) THEN
        RAISE EXCEPTION 'A check is approved by another person than its cashier.'
            USING ERRCODE = 'CS003';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION checks_guard_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL OR (NEW.routing, NEW.bank_account, NEW.account_id, NEW.reason,
            NEW.put_by_id, NEW.put_at)
        IS DISTINCT FROM (OLD.routing, OLD.bank_account, OLD.account_id, OLD.reason,
            OLD.put_by_id, OLD.put_at) THEN
        RAISE EXCEPTION 'Hold % may not be changed so.', OLD.id USING ERRCODE = 'CS002';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER checks_check_approval BEFORE INSERT ON checks_check
    FOR EACH ROW EXECUTE FUNCTION checks_guard_check();
CREATE TRIGGER checks_check_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON checks_check
    FOR EACH STATEMENT EXECUTE FUNCTION cashiering_refuse_change();
CREATE TRIGGER checks_hold_rules BEFORE UPDATE ON checks_hold
    FOR EACH ROW EXECUTE FUNCTION checks_guard_hold();
CREATE TRIGGER checks_hold_kept BEFORE DELETE OR TRUNCATE ON checks_hold
    FOR EACH STATEMENT EXECUTE FUNCTION cashiering_refuse_change();
