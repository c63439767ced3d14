-- The counter's own rules, held by the database whoever writes.

CREATE FUNCTION cashiering_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What was done at the counter stays: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'CS002';
END $$;

-- A receipt changes once, when it is voided, and in nothing else.
CREATE FUNCTION cashiering_guard_receipts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.void_entry_id IS NOT NULL OR NEW.void_entry_id IS NULL
        OR (NEW.id, NEW.number, NEW.session_id, NEW.entry_id, NEW.payer_account_id,
            NEW.total_cents, NEW.tendered_cents, NEW.change_cents, NEW.taken_at)
           IS DISTINCT FROM (OLD.id, OLD.number, OLD.session_id, OLD.entry_id,
            OLD.payer_account_id, OLD.total_cents, OLD.tendered_cents, OLD.change_cents,
            OLD.taken_at) THEN
        RAISE EXCEPTION 'Receipt % may not be changed.', OLD.number USING ERRCODE = 'CS002';
    END IF;
    IF NEW.void_approved_by_id IS NULL OR NEW.void_approved_by_id IN (
            SELECT s.cashier_id FROM cashiering_tillsession s WHERE s.id = NEW.session_id) THEN
        RAISE EXCEPTION 'Receipt % is voided by another person than its cashier.', OLD.number
            USING ERRCODE = 'CS003';
    END IF;
    RETURN NEW;
END $$;

-- A counted drawer stays as it was counted; then another person verifies it, once.
-- `session_rules.sql` says when it is asked.
CREATE FUNCTION cashiering_guard_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.till_id, NEW.business_day_id, NEW.cashier_id, NEW.opened_at, NEW.float_cents)
        IS DISTINCT FROM (OLD.id, OLD.till_id, OLD.business_day_id, OLD.cashier_id, OLD.opened_at,
            OLD.float_cents)
        OR OLD.verified_at IS NOT NULL
        OR (OLD.closed_at IS NOT NULL AND
            (NEW.closed_at, NEW.closed_by_id, NEW.drawer_cents, NEW.last_number,
                NEW.expected_cash_cents, NEW.counted_cash_cents, NEW.expected_check_cents,
                NEW.counted_check_cents, NEW.expected_money_order_cents,
                NEW.counted_money_order_cents, NEW.closing_entry_id)
            IS DISTINCT FROM (OLD.closed_at, OLD.closed_by_id, OLD.drawer_cents, OLD.last_number,
                OLD.expected_cash_cents, OLD.counted_cash_cents, OLD.expected_check_cents,
                OLD.counted_check_cents, OLD.expected_money_order_cents,
                OLD.counted_money_order_cents, OLD.closing_entry_id)) THEN
        RAISE EXCEPTION 'Till session % may not be changed so.', OLD.id USING ERRCODE = 'CS002';
    END IF;
    RETURN NEW;
END $$;

-- A drop is taken by another person than the cashier of the drawer.
CREATE FUNCTION cashiering_guard_drops() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.taken_by_id IN (
            SELECT s.cashier_id FROM cashiering_tillsession s WHERE s.id = NEW.session_id) THEN
        RAISE EXCEPTION 'A drop is taken by another person than the cashier.'
            USING ERRCODE = 'CS003';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER cashiering_receipt_rules BEFORE UPDATE ON cashiering_receipt
    FOR EACH ROW EXECUTE FUNCTION cashiering_guard_receipts();
CREATE TRIGGER cashiering_drop_rules BEFORE INSERT ON cashiering_drop
    FOR EACH ROW EXECUTE FUNCTION cashiering_guard_drops();

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['cashiering_tender', 'cashiering_count', 'cashiering_drop',
            'cashiering_receiptprint'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION cashiering_refuse_change()', name || '_kept',
            name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['cashiering_receipt', 'cashiering_tillsession',
            'cashiering_voidrequest'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION cashiering_refuse_change()', name || '_kept',
            name);
    END LOOP;
END $$;

ALTER TABLE cashiering_tillsession SET (fillfactor = 50);
