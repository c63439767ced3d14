-- A journal is made once and stays as it was given to the general ledger.

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['general_ledger_journal', 'general_ledger_journalline'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()', name || '_kept', name);
    END LOOP;
END $$;
