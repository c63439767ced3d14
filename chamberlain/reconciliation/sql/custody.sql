-- A bag is sealed by two, and what became of it stays.

CREATE FUNCTION reconciliation_guard_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sealed_with_id = (SELECT made_by_id FROM reconciliation_deposit
            WHERE id = NEW.deposit_id) THEN
        RAISE EXCEPTION 'A bag is sealed by two people.' USING ERRCODE = 'RC004';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER reconciliation_seal_rules BEFORE INSERT ON reconciliation_seal
    FOR EACH ROW EXECUTE FUNCTION reconciliation_guard_seal();

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['reconciliation_seal', 'reconciliation_pickup',
            'reconciliation_pickedup', 'reconciliation_bankreceipt'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change()',
            name || '_kept', name);
    END LOOP;
END $$;
