-- What was counted in the safe, filled and handed over stays.

CREATE FUNCTION safe_guard_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.filled_at IS NOT NULL OR (NEW.session_id, NEW.wanted, NEW.cents, NEW.asked_at)
        IS DISTINCT FROM (OLD.session_id, OLD.wanted, OLD.cents, OLD.asked_at) THEN
        RAISE EXCEPTION 'A change order stays as it was asked and filled.' USING ERRCODE = 'CS003';
    END IF;
    IF NEW.filled_by_id = (SELECT cashier_id FROM cashiering_tillsession
            WHERE id = NEW.session_id) THEN
        RAISE EXCEPTION 'A change order is filled by another person than its cashier.'
            USING ERRCODE = 'CS003';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION safe_guard_handover() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM cashiering_tillsession g, cashiering_tillsession t
            WHERE g.id = NEW.given_id AND t.id = NEW.taken_id AND (g.till_id <> t.till_id
                OR g.cashier_id = t.cashier_id OR g.closed_at IS NULL)) THEN
        RAISE EXCEPTION 'A till is handed over closed, to another cashier.'
            USING ERRCODE = 'CS003';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER safe_order_rules BEFORE UPDATE ON safe_changeorder
    FOR EACH ROW EXECUTE FUNCTION safe_guard_order();
CREATE TRIGGER safe_order_kept BEFORE DELETE OR TRUNCATE ON safe_changeorder
    FOR EACH STATEMENT EXECUTE FUNCTION cashiering_refuse_change();
CREATE TRIGGER safe_handover_rules BEFORE INSERT ON safe_handover
    FOR EACH ROW EXECUTE FUNCTION safe_guard_handover();
CREATE TRIGGER safe_handover_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON safe_handover
    FOR EACH STATEMENT EXECUTE FUNCTION cashiering_refuse_change();
CREATE TRIGGER safe_count_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON safe_safecount
    FOR EACH STATEMENT EXECUTE FUNCTION cashiering_refuse_change();
