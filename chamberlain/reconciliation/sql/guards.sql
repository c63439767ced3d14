-- What was deposited, read, matched and signed stays.

CREATE FUNCTION reconciliation_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What was reconciled stays: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'RC001';
END $$;

CREATE FUNCTION reconciliation_guard_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.signed_at IS NOT NULL THEN
        RAISE EXCEPTION 'A signed reconciliation stays as it is.' USING ERRCODE = 'RC001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER reconciliation_signed_rules BEFORE UPDATE ON reconciliation_reconciliation
    FOR EACH ROW EXECUTE FUNCTION reconciliation_guard_signed();
CREATE TRIGGER reconciliation_reconciliation_kept BEFORE DELETE OR TRUNCATE
    ON reconciliation_reconciliation
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change();

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['reconciliation_deposit', 'reconciliation_bankfile',
            'reconciliation_statement', 'reconciliation_bankline', 'reconciliation_match'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change()',
            name || '_kept', name);
    END LOOP;
END $$;
