-- A signature is taken off only when what was signed is kept with a reason.

CREATE OR REPLACE FUNCTION reconciliation_guard_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.signed_at IS NULL THEN
        RETURN NEW;
    END IF;
    IF NEW.signed_at IS NULL AND NEW.signed_by_id IS NULL
        AND (NEW.business_day_id, NEW.receipts_cents, NEW.over_short_cents, NEW.deposits_cents,
            NEW.bank_cents, NEW.note, NEW.prepared_by_id, NEW.prepared_at)
        IS NOT DISTINCT FROM (OLD.business_day_id, OLD.receipts_cents, OLD.over_short_cents,
            OLD.deposits_cents, OLD.bank_cents, OLD.note, OLD.prepared_by_id, OLD.prepared_at)
        AND EXISTS (SELECT FROM reconciliation_reopening r
            WHERE r.reconciliation_id = OLD.id AND r.signed_at = OLD.signed_at
                AND (r.receipts_cents, r.over_short_cents, r.deposits_cents, r.bank_cents,
                    r.note, r.prepared_by_id, r.prepared_at, r.signed_by_id)
                IS NOT DISTINCT FROM (OLD.receipts_cents, OLD.over_short_cents,
                    OLD.deposits_cents, OLD.bank_cents, OLD.note, OLD.prepared_by_id,
                    OLD.prepared_at, OLD.signed_by_id)) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'A signed reconciliation stays as it is.' USING ERRCODE = 'RC001';
END $$;

CREATE TRIGGER reconciliation_reopening_kept BEFORE UPDATE OR DELETE OR TRUNCATE
    ON reconciliation_reopening
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change();
