-- A certificate is never changed, and none is issued while anything that it covers is open: not by
-- a mistake of the program either. The account's balance is locked first, so that no charge is
-- raised between the look and the commit.

CREATE FUNCTION certificates_guard_issue() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE found certificates_application; left_open bigint;
BEGIN
    SELECT * INTO found FROM certificates_application WHERE id = NEW.application_id;
    PERFORM ledger_lock_balances(ARRAY[found.account_id]);
    SELECT count(*) INTO left_open
        FROM ledger_charge c
        JOIN ledger_chargekind k ON k.id = c.kind_id
        LEFT JOIN ledger_settlement s ON s.charge_id = c.id
        WHERE c.account_id = found.account_id AND c.cents > coalesce(s.settled_cents, 0)
            AND (c.id = found.fee_charge_id OR k.code = ANY(
                (SELECT t.covered_kinds FROM certificates_certificateterms t
                    WHERE t.id = found.terms_id)::text[]));
    IF left_open > 0 THEN
        RAISE EXCEPTION 'A certificate needs everything that it covers to be paid.'
            USING ERRCODE = 'LG006';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER certificates_issue BEFORE INSERT ON certificates_certificate
    FOR EACH ROW EXECUTE FUNCTION certificates_guard_issue();
CREATE TRIGGER certificates_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON certificates_certificate
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER certificates_payoff_kept BEFORE UPDATE OR DELETE OR TRUNCATE
    ON certificates_payoffcharge
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
