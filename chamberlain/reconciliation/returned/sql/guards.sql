-- A returned item is entered once by another person than the cashier, and found at the bank once.

CREATE FUNCTION returned_guard_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.entered_by_id IN (SELECT s.cashier_id FROM cashiering_tender t
            JOIN cashiering_receipt r ON r.id = t.receipt_id
            JOIN cashiering_tillsession s ON s.id = r.session_id WHERE t.id = NEW.tender_id) THEN
        RAISE EXCEPTION 'A returned item is entered by another person than its cashier.'
            USING ERRCODE = 'CS003';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION returned_guard_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.line_id IS NOT NULL OR (NEW.tender_id, NEW.reason, NEW.note, NEW.returned_on,
            NEW.entry_id, NEW.fee_id, NEW.entered_by_id, NEW.entered_at)
        IS DISTINCT FROM (OLD.tender_id, OLD.reason, OLD.note, OLD.returned_on, OLD.entry_id,
            OLD.fee_id, OLD.entered_by_id, OLD.entered_at) THEN
        RAISE EXCEPTION 'Returned item % may not be changed so.', OLD.id USING ERRCODE = 'LG001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER returned_item_entered BEFORE INSERT ON returned_returneditem
    FOR EACH ROW EXECUTE FUNCTION returned_guard_new();
CREATE TRIGGER returned_item_rules BEFORE UPDATE ON returned_returneditem
    FOR EACH ROW EXECUTE FUNCTION returned_guard_change();
CREATE TRIGGER returned_item_kept BEFORE DELETE OR TRUNCATE ON returned_returneditem
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
