-- Where the ledger's rules (`guards.sql`) are put in place.

CREATE TRIGGER ledger_entry_days AFTER INSERT ON ledger_entry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_entries();
CREATE TRIGGER ledger_transfer_rules AFTER INSERT ON ledger_transfer
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_transfers();
CREATE TRIGGER ledger_account_balance AFTER INSERT ON ledger_account
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_start_balances();
CREATE TRIGGER ledger_day_rules BEFORE UPDATE ON ledger_businessday
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_days();

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger_account', 'ledger_charge', 'ledger_entry',
            'ledger_transfer', 'ledger_entrydigest', 'ledger_daydigest'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()', name || '_kept', name);
    END LOOP;
    EXECUTE 'CREATE TRIGGER ledger_businessday_kept BEFORE DELETE OR TRUNCATE ON '
        'ledger_businessday FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()';
END $$;

ALTER TABLE ledger_balance SET (fillfactor = 80);
ALTER TABLE ledger_settlement SET (fillfactor = 90);
