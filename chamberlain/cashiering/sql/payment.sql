-- Posts a payment in one call: entry, transfers, receipt and tenders, or nothing.
--
-- It runs as the caller, so that the ledger's guards hold as for any other entry. What the till
-- does not allow comes back as an outcome with nothing written; what the ledger does not allow
-- raises, and the whole call is undone. Outcomes: posted, repeated (the key was used before, the
-- receipt is its), key_taken, no_till, other_center, other_cashier, till_closed, day_closed,
-- drawer_full, no_account.
--
-- The session's row is locked first: payments of one drawer queue up, those of other drawers
-- do not notice, and a drawer cannot be counted while a payment of it is being posted.
-- A payment that nothing speaks against takes two statements, the drawer's and the books'; only
-- when one of them finds nothing to do is it asked why. Plans are made once and go by index:
-- planning anew costs more than running, and what suited an empty table on the first payment of a
-- connection would be slow on its thousandth.
-- Each leg settles a charge from one tender, or, without a charge, becomes the payer's credit.
CREATE FUNCTION cashiering_take_payment(
    p_session bigint, p_actor bigint, p_centers bigint[], p_payer bigint, p_now timestamptz,
    p_key text, p_total bigint, p_tendered bigint, p_change bigint, p_cash bigint,
    p_leg_charges bigint[], p_leg_tenders text[], p_leg_cents bigint[],
    p_kinds text[], p_cents bigint[], p_references text[],
    OUT outcome text, OUT receipt_id bigint, OUT receipt_number text,
    OUT center_id bigint, OUT center_code text, OUT center_name text, OUT center_address text,
    OUT till_code text, OUT cashier text, OUT payer_number text, OUT over_cents bigint,
    OUT line_charges bigint[], OUT line_accounts text[], OUT line_kinds text[],
    OUT line_documents text[]
) LANGUAGE plpgsql SECURITY INVOKER SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    v_day bigint;
    v_legs bigint;
BEGIN
    UPDATE cashiering_tillsession s
        SET drawer_cents = s.drawer_cents + p_cash, last_number = s.last_number + 1
        FROM cashiering_till t
        JOIN identity_center c ON c.id = t.center_id
        CROSS JOIN ledger_businessday d
        CROSS JOIN identity_user u
        CROSS JOIN ledger_account p
        WHERE s.id = p_session AND s.cashier_id = p_actor AND s.closed_at IS NULL
            AND t.id = s.till_id AND d.id = s.business_day_id AND d.closed_at IS NULL
            AND u.id = s.cashier_id AND p.id = p_payer
            AND (t.center_id <> ALL (p_centers)) IS NOT TRUE
            AND (p_cash <= 0 OR s.drawer_cents + p_cash <= t.cash_limit_cents)
        RETURNING d.id, c.id, c.code, c.name, c.address, t.code,
            coalesce(nullif(u.display_name, ''), u.username), p.number,
            t.code || '-' || to_char(d.day, 'YYYYMMDD') || '-' || lpad(s.last_number::text,
                greatest(4, length(s.last_number::text)), '0')
        INTO v_day, center_id, center_code, center_name, center_address, till_code, cashier,
            payer_number, receipt_number;
    IF NOT FOUND THEN
        SELECT n.* INTO outcome, receipt_id, receipt_number, center_id, center_name, till_code,
                cashier, payer_number, over_cents
            FROM cashiering_why_not(p_session, p_actor, p_centers, p_payer, p_key, p_cash) n;
        RETURN;
    END IF;

    WITH entry AS (
        INSERT INTO ledger_entry (business_day_id, kind, actor_id, posted_at, document, reason,
                idempotency_key)
            VALUES (v_day, 'payment', p_actor, p_now, receipt_number, '', p_key)
            ON CONFLICT (idempotency_key) DO NOTHING RETURNING id
    ), legs AS (
        SELECT l.position, l.cents, l.charge, a.id AS till, k.receivable_id, c.account_id,
                k.name, c.document, o.number
            FROM unnest(p_leg_charges, p_leg_tenders, p_leg_cents) WITH ORDINALITY
                AS l (charge, tender, cents, position)
            JOIN ledger_ledgeraccount a ON a.code = '1010-' || center_code || '-' || l.tender
            LEFT JOIN ledger_charge c ON c.id = l.charge
            LEFT JOIN ledger_chargekind k ON k.id = c.kind_id
            LEFT JOIN ledger_account o ON o.id = c.account_id
            WHERE l.charge IS NULL OR c.id IS NOT NULL
    ), transfers AS (
        INSERT INTO ledger_transfer (entry_id, debit_id, credit_id, cents, effect, account_id,
                charge_id)
            SELECT entry.id, legs.till,
                CASE WHEN legs.charge IS NULL
                    THEN (SELECT id FROM ledger_ledgeraccount WHERE code = '2300')
                    ELSE legs.receivable_id END,
                legs.cents, CASE WHEN legs.charge IS NULL THEN 'none' ELSE 'settle' END,
                coalesce(legs.account_id, p_payer), legs.charge
            FROM entry, legs ORDER BY legs.position
    ), receipt AS (
        INSERT INTO cashiering_receipt (number, session_id, entry_id, payer_account_id,
                total_cents, tendered_cents, change_cents, taken_at)
            SELECT receipt_number, p_session, entry.id, p_payer, p_total, p_tendered, p_change,
                p_now FROM entry
            RETURNING id
    ), tenders AS (
        INSERT INTO cashiering_tender (receipt_id, kind, cents, reference)
            SELECT receipt.id, n.* FROM receipt, unnest(p_kinds, p_cents, p_references) AS n
    )
    SELECT (SELECT id FROM receipt), count(*),
            array_agg(legs.charge) FILTER (WHERE legs.charge IS NOT NULL),
            array_agg(legs.number) FILTER (WHERE legs.charge IS NOT NULL),
            array_agg(legs.name) FILTER (WHERE legs.charge IS NOT NULL),
            array_agg(legs.document) FILTER (WHERE legs.charge IS NOT NULL)
        INTO receipt_id, v_legs, line_charges, line_accounts, line_kinds, line_documents
        FROM legs;
    IF receipt_id IS NULL THEN  -- the key was used: the drawer goes back to what it was
        UPDATE cashiering_tillsession
            SET drawer_cents = drawer_cents - p_cash, last_number = last_number - 1
            WHERE id = p_session;
        SELECT n.* INTO outcome, receipt_id, receipt_number, center_id, center_name, till_code,
                cashier, payer_number, over_cents
            FROM cashiering_why_not(p_session, p_actor, p_centers, p_payer, p_key, p_cash) n;
        RETURN;
    END IF;
    IF v_legs <> cardinality(p_leg_cents) THEN
        RAISE EXCEPTION 'A charge or a till account does not exist.' USING ERRCODE = 'CS001';
    END IF;
    outcome := 'posted';
END $$;

-- Why a payment was not posted: what the till does not allow, or the receipt that its key has.
CREATE FUNCTION cashiering_why_not(
    p_session bigint, p_actor bigint, p_centers bigint[], p_payer bigint, p_key text,
    p_cash bigint,
    OUT outcome text, OUT receipt_id bigint, OUT receipt_number text, OUT center_id bigint,
    OUT center_name text, OUT till_code text, OUT cashier text, OUT payer_number text,
    OUT over_cents bigint
) LANGUAGE plpgsql SECURITY INVOKER AS $$
#variable_conflict use_column
DECLARE s record;
BEGIN
    SELECT s.cashier_id, s.closed_at, s.drawer_cents, t.code, t.cash_limit_cents, t.center_id,
            c.name, d.closed_at AS day_closed_at, p.number AS payer,
            coalesce(nullif(u.display_name, ''), u.username) AS cashier
        INTO s
        FROM cashiering_tillsession s
        JOIN cashiering_till t ON t.id = s.till_id
        JOIN identity_center c ON c.id = t.center_id
        JOIN ledger_businessday d ON d.id = s.business_day_id
        JOIN identity_user u ON u.id = s.cashier_id
        LEFT JOIN ledger_account p ON p.id = p_payer
        WHERE s.id = p_session;
    SELECT r.id, r.number INTO receipt_id, receipt_number
        FROM ledger_entry e JOIN cashiering_receipt r ON r.entry_id = e.id
        WHERE e.idempotency_key = p_key;
    center_id := s.center_id;
    center_name := s.name;
    till_code := s.code;
    cashier := s.cashier;
    payer_number := s.payer;
    over_cents := s.drawer_cents + p_cash - s.cash_limit_cents;
    outcome := CASE
        WHEN s.code IS NULL THEN 'no_till'
        WHEN s.center_id <> ALL (p_centers) THEN 'other_center'
        WHEN receipt_id IS NOT NULL THEN 'repeated'
        WHEN s.cashier_id <> p_actor THEN 'other_cashier'
        WHEN s.closed_at IS NOT NULL THEN 'till_closed'
        WHEN s.day_closed_at IS NOT NULL THEN 'day_closed'
        WHEN s.payer IS NULL THEN 'no_account'
        WHEN p_cash > 0 AND over_cents > 0 THEN 'drawer_full'
        ELSE 'key_taken'
    END;
END $$;
