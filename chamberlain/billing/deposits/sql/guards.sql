-- A deposit is never lost: what moved stays, and it is closed only when nothing of it is left.

CREATE FUNCTION deposits_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.closed_on IS NOT NULL
        OR (NEW.number, NEW.account_id, NEW.charge_id, NEW.carried_from_id, NEW.whole_since,
            NEW.basis, NEW.asked_by_id, NEW.asked_at, NEW.asked_on, NEW.idempotency_key)
        IS DISTINCT FROM (OLD.number, OLD.account_id, OLD.charge_id, OLD.carried_from_id,
            OLD.whole_since, OLD.basis, OLD.asked_by_id, OLD.asked_at, OLD.asked_on,
            OLD.idempotency_key) THEN
        RAISE EXCEPTION 'Deposit % is closed or was asked for otherwise.', OLD.number
            USING ERRCODE = 'LG006';
    END IF;
    IF NEW.closed_on IS NOT NULL AND (SELECT sum(cents) FROM deposits_depositmovement
            WHERE deposit_id = NEW.id) <> 0 THEN
        RAISE EXCEPTION 'Deposit % still has money; use, release or carry it first.', OLD.number
            USING ERRCODE = 'LG006';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER deposits_deposit_kept BEFORE UPDATE ON deposits_deposit
    FOR EACH ROW EXECUTE FUNCTION deposits_keep();
CREATE TRIGGER deposits_deposit_stays BEFORE DELETE OR TRUNCATE ON deposits_deposit
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER deposits_depositmovement_kept BEFORE UPDATE OR DELETE OR TRUNCATE
    ON deposits_depositmovement FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
