-- A bill is never changed or taken away, and its lines refer to what exists (checked for all new
-- lines at once; see ledger/sql/references.sql for why).

CREATE FUNCTION billing_guard_lines() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE sound bigint; given bigint;
BEGIN
    SELECT count(*) INTO given FROM added;
    SELECT count(*) INTO sound FROM added l
        JOIN billing_bill b ON b.id = l.bill_id
        JOIN tariffs_component m ON m.id = l.component_id
        LEFT JOIN ledger_charge c ON c.id = l.charge_id
        WHERE (l.charge_id IS NULL AND l.cents = 0)
            OR (c.cents = l.cents AND c.account_id = b.account_id);
    IF sound <> given THEN
        RAISE EXCEPTION 'A line does not fit the bill, component or charge that it names.'
            USING ERRCODE = 'LG004';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER billing_line_references AFTER INSERT ON billing_billline
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION billing_guard_lines();

CREATE TRIGGER billing_bill_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON billing_bill
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER billing_billline_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON billing_billline
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER tariffs_component_kept BEFORE DELETE OR TRUNCATE ON tariffs_component
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
