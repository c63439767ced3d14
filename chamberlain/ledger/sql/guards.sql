-- The ledger's own rules, held by the database whoever writes.

CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The ledger is never changed: % on % is refused. Post an entry that reverses.',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'LG001';
END $$;

-- Locks the days of new entries, so that none can close before the entries are in.
CREATE FUNCTION ledger_guard_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE closed record;
BEGIN
    FOR closed IN
        SELECT d.closed_at, d.day, d.center_id FROM ledger_businessday d
        WHERE d.id IN (SELECT DISTINCT business_day_id FROM added)
        ORDER BY d.id FOR SHARE
    LOOP
        IF closed.closed_at IS NOT NULL THEN
            RAISE EXCEPTION 'Business day % of center % is closed.', closed.day, closed.center_id
                USING ERRCODE = 'LG002';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- Checks the shape and the references of new transfers, and keeps settlements and balances.
CREATE FUNCTION ledger_guard_transfers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE sound bigint; given bigint;
BEGIN
    SELECT count(*) INTO given FROM added;
    SELECT count(*) INTO sound FROM added t
        JOIN ledger_entry e ON e.id = t.entry_id
        JOIN ledger_businessday day ON day.id = e.business_day_id AND day.closed_at IS NULL
        JOIN ledger_ledgeraccount d ON d.id = t.debit_id
        JOIN ledger_ledgeraccount c ON c.id = t.credit_id
        LEFT JOIN ledger_charge g ON g.id = t.charge_id
        LEFT JOIN ledger_chargekind k ON k.id = g.kind_id
        LEFT JOIN ledger_account a ON a.id = t.account_id AND t.charge_id IS NULL
        WHERE (d.control = 'charges') = (t.effect IN ('raise', 'unsettle'))
            AND (c.control = 'charges') = (t.effect = 'settle')
            AND (t.account_id IS NOT NULL OR (d.control <> 'credits' AND c.control <> 'credits'))
            AND CASE t.effect
                WHEN 'none' THEN t.account_id IS NULL OR a.id IS NOT NULL
                WHEN 'raise' THEN g.account_id = t.account_id AND g.cents = t.cents
                    AND g.entry_id = t.entry_id AND k.receivable_id = t.debit_id
                WHEN 'settle' THEN g.account_id = t.account_id AND k.receivable_id = t.credit_id
                ELSE g.account_id = t.account_id AND k.receivable_id = t.debit_id END;
    IF sound <> given THEN
        PERFORM 1 FROM added t JOIN ledger_entry e ON e.id = t.entry_id
            JOIN ledger_businessday day ON day.id = e.business_day_id
            WHERE day.closed_at IS NOT NULL LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'A transfer may not join an entry of a closed business day.'
                USING ERRCODE = 'LG002';
        END IF;
        RAISE EXCEPTION 'A transfer does not fit its accounts or the open item it names.'
            USING ERRCODE = 'LG003';
    END IF;

    INSERT INTO ledger_settlement AS s (charge_id, cents, settled_cents)
        SELECT c.id, c.cents, n.settled FROM (
            SELECT charge_id, sum(CASE effect WHEN 'settle' THEN cents ELSE -cents END) AS settled
            FROM added WHERE effect IN ('settle', 'unsettle') GROUP BY charge_id) n
        JOIN ledger_charge c ON c.id = n.charge_id
        WHERE n.settled >= 0
        ORDER BY c.id
    ON CONFLICT (charge_id) DO UPDATE
        SET settled_cents = s.settled_cents + EXCLUDED.settled_cents;
    UPDATE ledger_settlement s SET settled_cents = s.settled_cents + n.settled FROM (
            SELECT charge_id, sum(CASE effect WHEN 'settle' THEN cents ELSE -cents END) AS settled
            FROM added WHERE effect IN ('settle', 'unsettle') GROUP BY charge_id) n
        WHERE s.charge_id = n.charge_id AND n.settled < 0;

    PERFORM 1 FROM ledger_balance
        WHERE account_id IN (SELECT account_id FROM added WHERE account_id IS NOT NULL)
        ORDER BY account_id FOR NO KEY UPDATE;
    UPDATE ledger_balance b
        SET owed_cents = b.owed_cents + n.owed, credit_cents = b.credit_cents + n.credit
        FROM (SELECT t.account_id,
                sum(CASE t.effect WHEN 'settle' THEN -t.cents WHEN 'none' THEN 0
                    ELSE t.cents END) AS owed,
                sum(CASE WHEN c.control = 'credits' THEN t.cents
                    WHEN d.control = 'credits' THEN -t.cents ELSE 0 END) AS credit
            FROM added t
            JOIN ledger_ledgeraccount d ON d.id = t.debit_id
            JOIN ledger_ledgeraccount c ON c.id = t.credit_id
            WHERE t.account_id IS NOT NULL GROUP BY t.account_id) n
        WHERE b.account_id = n.account_id;
    RETURN NULL;
END $$;

-- Every account has its balance from the first moment.
CREATE FUNCTION ledger_start_balances() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO ledger_balance (account_id, owed_cents, credit_cents)
        SELECT id, 0, 0 FROM added;
    RETURN NULL;
END $$;

-- A closed business day stays closed, and a day is never moved or taken away.
CREATE FUNCTION ledger_guard_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.closed_at IS NOT NULL
        OR (NEW.center_id, NEW.day, NEW.opened_at, NEW.opened_by_id)
           IS DISTINCT FROM (OLD.center_id, OLD.day, OLD.opened_at, OLD.opened_by_id) THEN
        RAISE EXCEPTION 'Business day % is closed or may not be changed so.', OLD.day
            USING ERRCODE = 'LG002';
    END IF;
    RETURN NEW;
END $$;

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

-- The digest of each entry of a business day, over the entry, its transfers and its charges.
CREATE FUNCTION ledger_digests_of_day(day_id bigint)
RETURNS TABLE (entry_id bigint, digest bytea) LANGUAGE sql STABLE AS $$
    SELECT e.id, sha256(convert_to(concat((e.id, e.business_day_id, e.kind, e.actor_id,
            extract(epoch FROM e.posted_at), e.document, e.reason, e.reverses_id,
            e.idempotency_key)::text, t.rows, c.rows), 'UTF8'))
    FROM ledger_entry e
    LEFT JOIN LATERAL (
        SELECT string_agg((t.id, t.debit_id, t.credit_id, t.cents, t.effect,
            t.account_id, t.charge_id)::text, '' ORDER BY t.id) AS rows
        FROM ledger_transfer t WHERE t.entry_id = e.id) t ON true
    LEFT JOIN LATERAL (
        SELECT string_agg((c.id, c.account_id, c.kind_id, c.cents, to_char(c.raised_on, 'YYYYMMDD'),
            to_char(c.due_on, 'YYYYMMDD'), c.document)::text, '' ORDER BY c.id) AS rows
        FROM ledger_transfer r JOIN ledger_charge c ON c.id = r.charge_id
        WHERE r.entry_id = e.id AND r.effect = 'raise') c ON true
    WHERE e.business_day_id = day_id
    ORDER BY e.id
$$;

ALTER TABLE ledger_balance SET (fillfactor = 80);
ALTER TABLE ledger_settlement SET (fillfactor = 90);
