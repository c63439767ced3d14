-- The references of charges and transfers, checked for all new rows of a statement at once.
--
-- A foreign key looks up its parent once for each row, which is half of the time of a bill run.
-- Here one join looks up all parents of all new rows. It is as good as a foreign key because the
-- parents are never deleted: the triggers at the end refuse that. The joins go by index whatever
-- the planner believes, since fresh rows have no statistics.

CREATE FUNCTION ledger_guard_charges() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE sound bigint; given bigint;
BEGIN
    SELECT count(*) INTO given FROM added;
    SELECT count(*) INTO sound FROM added c
        JOIN ledger_account a ON a.id = c.account_id
        JOIN ledger_chargekind k ON k.id = c.kind_id
        JOIN ledger_entry e ON e.id = c.entry_id;
    IF sound <> given THEN
        RAISE EXCEPTION 'A charge names an account, kind or entry that does not exist.'
            USING ERRCODE = 'LG004';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_charge_references AFTER INSERT ON ledger_charge
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_charges();

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger_ledgeraccount', 'ledger_chargekind'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()', name || '_kept', name);
    END LOOP;
END $$;
