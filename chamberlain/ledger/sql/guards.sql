-- The ledger's own rules, held by the database whoever writes; `triggers.sql` puts them in place.

CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The ledger is never changed: % on % is refused. Post an entry that reverses.',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'LG001';
END $$;

-- Locks the days of new entries, so that none can close before the entries are in.
CREATE OR REPLACE FUNCTION ledger_guard_entries() RETURNS trigger LANGUAGE plpgsql AS $$
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
-- One pass looks at everything; what it did not see (nothing unsettled, one account only) is not
-- worked on, since a payment at the counter meets this as often as a bill run does.
CREATE OR REPLACE FUNCTION ledger_guard_transfers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE seen record; credits bigint[];
BEGIN
    SELECT count(*) AS given, count(*) FILTER (WHERE
            e.id IS NOT NULL AND day.closed_at IS NULL AND d.id IS NOT NULL AND c.id IS NOT NULL
            AND (d.control = 'charges') = (t.effect IN ('raise', 'unsettle'))
            AND (c.control = 'charges') = (t.effect = 'settle')
            AND (t.account_id IS NOT NULL OR (d.control <> 'credits' AND c.control <> 'credits'))
            AND CASE t.effect
                WHEN 'none' THEN t.account_id IS NULL OR a.id IS NOT NULL
                WHEN 'raise' THEN g.account_id = t.account_id AND g.cents = t.cents
                    AND g.entry_id = t.entry_id AND k.receivable_id = t.debit_id
                WHEN 'settle' THEN g.account_id = t.account_id AND k.receivable_id = t.credit_id
                ELSE g.account_id = t.account_id AND k.receivable_id = t.debit_id END) AS sound,
            count(*) FILTER (WHERE day.closed_at IS NOT NULL) AS closed,
            bool_or(t.effect = 'settle') AS settles, bool_or(t.effect = 'unsettle') AS unsettles,
            min(t.account_id) AS first_account, max(t.account_id) AS last_account,
            sum(CASE t.effect WHEN 'settle' THEN -t.cents WHEN 'none' THEN 0 ELSE t.cents END)
                AS owed,
            sum(CASE WHEN c.control = 'credits' THEN t.cents
                WHEN d.control = 'credits' THEN -t.cents ELSE 0 END) AS credit
        INTO seen
        FROM added t
        LEFT JOIN ledger_entry e ON e.id = t.entry_id
        LEFT JOIN ledger_businessday day ON day.id = e.business_day_id
        LEFT JOIN ledger_ledgeraccount d ON d.id = t.debit_id
        LEFT JOIN ledger_ledgeraccount c ON c.id = t.credit_id
        LEFT JOIN ledger_charge g ON g.id = t.charge_id
        LEFT JOIN ledger_chargekind k ON k.id = g.kind_id
        LEFT JOIN ledger_account a ON a.id = CASE WHEN t.charge_id IS NULL THEN t.account_id END;
    IF seen.closed > 0 THEN
        RAISE EXCEPTION 'A transfer may not join an entry of a closed business day.'
            USING ERRCODE = 'LG002';
    END IF;
    IF seen.sound <> seen.given THEN
        RAISE EXCEPTION 'A transfer does not fit its accounts or the open item it names.'
            USING ERRCODE = 'LG003';
    END IF;

    IF seen.settles THEN
        INSERT INTO ledger_settlement AS s (charge_id, cents, settled_cents)
            SELECT c.id, c.cents, n.settled FROM (
                SELECT charge_id, sum(CASE effect WHEN 'settle' THEN cents ELSE -cents END)
                    AS settled
                FROM added WHERE effect IN ('settle', 'unsettle') GROUP BY charge_id) n
            JOIN ledger_charge c ON c.id = n.charge_id
            WHERE n.settled >= 0
            ORDER BY c.id
        ON CONFLICT (charge_id) DO UPDATE
            SET settled_cents = s.settled_cents + EXCLUDED.settled_cents;
    END IF;
    IF seen.unsettles THEN
        UPDATE ledger_settlement s SET settled_cents = s.settled_cents + n.settled FROM (
                SELECT charge_id, sum(CASE effect WHEN 'settle' THEN cents ELSE -cents END)
                    AS settled
                FROM added WHERE effect IN ('settle', 'unsettle') GROUP BY charge_id) n
            WHERE s.charge_id = n.charge_id AND n.settled < 0;
    END IF;

    IF seen.first_account = seen.last_account THEN
        UPDATE ledger_balance
            SET owed_cents = owed_cents + seen.owed, credit_cents = credit_cents + seen.credit
            WHERE account_id = seen.first_account;
        RETURN NULL;
    END IF;
    PERFORM 1 FROM ledger_balance
        WHERE account_id IN (SELECT account_id FROM added WHERE account_id IS NOT NULL)
        ORDER BY account_id FOR NO KEY UPDATE;
    credits := ARRAY(SELECT id FROM ledger_ledgeraccount WHERE control = 'credits');
    UPDATE ledger_balance b
        SET owed_cents = b.owed_cents + n.owed, credit_cents = b.credit_cents + n.credit
        FROM (SELECT t.account_id,
                sum(CASE t.effect WHEN 'settle' THEN -t.cents WHEN 'none' THEN 0
                    ELSE t.cents END) AS owed,
                sum(CASE WHEN t.credit_id = ANY(credits) THEN t.cents
                    WHEN t.debit_id = ANY(credits) THEN -t.cents ELSE 0 END) AS credit
            FROM added t
            WHERE t.account_id IS NOT NULL GROUP BY t.account_id) n
        WHERE b.account_id = n.account_id;
    RETURN NULL;
END $$;

-- Every account has its balance from the first moment.
CREATE OR REPLACE FUNCTION ledger_start_balances() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO ledger_balance (account_id, owed_cents, credit_cents)
        SELECT id, 0, 0 FROM added;
    RETURN NULL;
END $$;

-- A closed business day stays closed, and a day is never moved or taken away.
CREATE OR REPLACE FUNCTION ledger_guard_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.closed_at IS NOT NULL
        OR (NEW.center_id, NEW.day, NEW.opened_at, NEW.opened_by_id)
           IS DISTINCT FROM (OLD.center_id, OLD.day, OLD.opened_at, OLD.opened_by_id) THEN
        RAISE EXCEPTION 'Business day % is closed or may not be changed so.', OLD.day
            USING ERRCODE = 'LG002';
    END IF;
    RETURN NEW;
END $$;

-- The digest of each entry of a business day, over the entry, its transfers and its charges.
CREATE OR REPLACE FUNCTION ledger_digests_of_day(day_id bigint)
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
