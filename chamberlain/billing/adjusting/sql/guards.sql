-- What was asked for stays as it was asked, and a decision is made once.

CREATE FUNCTION adjusting_keep_asked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'asked' OR NEW.status = 'asked'
        OR (NEW.number, NEW.kind, NEW.reason_id, NEW.account_id, NEW.other_account_id,
            NEW.payment_id, NEW.batch_id, NEW.cents, NEW.note, NEW.asked_by_id, NEW.asked_at,
            NEW.idempotency_key)
        IS DISTINCT FROM (OLD.number, OLD.kind, OLD.reason_id, OLD.account_id,
            OLD.other_account_id, OLD.payment_id, OLD.batch_id, OLD.cents, OLD.note,
            OLD.asked_by_id, OLD.asked_at, OLD.idempotency_key) THEN
        RAISE EXCEPTION 'Adjustment % is decided or was asked for otherwise; ask for another.',
            OLD.number USING ERRCODE = 'LG006';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER adjusting_adjustment_kept BEFORE UPDATE ON adjusting_adjustment
    FOR EACH ROW EXECUTE FUNCTION adjusting_keep_asked();

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['adjusting_adjustment', 'adjusting_adjustmentbatch',
            'adjusting_adjustmentcharge'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()', name || '_stays', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['adjusting_adjustmentbatch', 'adjusting_adjustmentcharge'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()', name || '_kept', name);
    END LOOP;
END $$;
