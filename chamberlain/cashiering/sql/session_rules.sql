-- Money into and out of an open drawer is the counter's daily bread and breaks no rule of a session.
DROP TRIGGER IF EXISTS cashiering_session_rules ON cashiering_tillsession;
CREATE TRIGGER cashiering_session_rules BEFORE UPDATE ON cashiering_tillsession FOR EACH ROW
    WHEN (OLD.closed_at IS NOT NULL OR NEW.closed_at IS NOT NULL
        OR (NEW.id, NEW.till_id, NEW.business_day_id, NEW.cashier_id, NEW.opened_at,
            NEW.float_cents, NEW.verified_at)
        IS DISTINCT FROM (OLD.id, OLD.till_id, OLD.business_day_id, OLD.cashier_id, OLD.opened_at,
            OLD.float_cents, OLD.verified_at))
    EXECUTE FUNCTION cashiering_guard_sessions();
