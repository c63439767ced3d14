-- What was matched, booked, split and asked stays; a line of the bank is one thing only.

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['reconciliation_matcheddeposit', 'reconciliation_matchedline',
            'reconciliation_bookedline'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change()',
            name || '_kept', name);
    END LOOP;
END $$;

-- The lines of a match are its deposits and the difference that was posted.
CREATE FUNCTION reconciliation_guard_match() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE lines bigint; deposits bigint;
BEGIN
    SELECT sum(l.cents) INTO lines FROM reconciliation_matchedline m
        JOIN reconciliation_bankline l ON l.id = m.line_id WHERE m.match_id = NEW.id;
    SELECT sum(d.cents) INTO deposits FROM reconciliation_matcheddeposit m
        JOIN reconciliation_deposit d ON d.id = m.deposit_id WHERE m.match_id = NEW.id;
    IF lines - deposits IS DISTINCT FROM NEW.difference_cents THEN
        RAISE EXCEPTION 'Match % does not add up.', NEW.id USING ERRCODE = 'RC002';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER reconciliation_match_adds_up AFTER INSERT ON reconciliation_match
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION reconciliation_guard_match();

-- A line is matched, booked, split or a returned item, never two of these.
CREATE FUNCTION reconciliation_line_uses(wanted bigint) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT (SELECT count(*) FROM reconciliation_matchedline WHERE line_id = wanted)::integer
        + (SELECT count(*) FROM reconciliation_bookedline WHERE line_id = wanted)::integer
        + (SELECT count(*) FROM returned_returneditem WHERE line_id = wanted)::integer
        + EXISTS (SELECT FROM reconciliation_bankline WHERE part_of_id = wanted)::integer
$$;

CREATE FUNCTION reconciliation_guard_line_use() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE used bigint;
BEGIN
    used := CASE WHEN TG_TABLE_NAME = 'reconciliation_bankline'
        THEN (to_jsonb(NEW) ->> 'part_of_id')::bigint ELSE (to_jsonb(NEW) ->> 'line_id')::bigint END;
    IF reconciliation_line_uses(used) > 1 THEN
        RAISE EXCEPTION 'Line % of the bank is something else already.', used
            USING ERRCODE = 'RC003';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER reconciliation_matchedline_once AFTER INSERT ON reconciliation_matchedline
    FOR EACH ROW EXECUTE FUNCTION reconciliation_guard_line_use();
CREATE TRIGGER reconciliation_bookedline_once AFTER INSERT ON reconciliation_bookedline
    FOR EACH ROW EXECUTE FUNCTION reconciliation_guard_line_use();
CREATE TRIGGER reconciliation_bankline_split_once AFTER INSERT ON reconciliation_bankline
    FOR EACH ROW WHEN (NEW.part_of_id IS NOT NULL)
    EXECUTE FUNCTION reconciliation_guard_line_use();
CREATE TRIGGER reconciliation_returned_once AFTER UPDATE OF line_id ON returned_returneditem
    FOR EACH ROW WHEN (NEW.line_id IS NOT NULL)
    EXECUTE FUNCTION reconciliation_guard_line_use();

-- The parts of a line add up to it.
CREATE FUNCTION reconciliation_guard_parts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(cents) FROM reconciliation_bankline WHERE part_of_id = NEW.part_of_id)
            IS DISTINCT FROM (SELECT cents FROM reconciliation_bankline WHERE id = NEW.part_of_id)
    THEN
        RAISE EXCEPTION 'The parts of line % do not add up to it.', NEW.part_of_id
            USING ERRCODE = 'RC002';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER reconciliation_parts_add_up AFTER INSERT ON reconciliation_bankline
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.part_of_id IS NOT NULL)
    EXECUTE FUNCTION reconciliation_guard_parts();

-- A question is answered once and keeps its words.
CREATE FUNCTION reconciliation_guard_question() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.answered_at IS NOT NULL OR (NEW.center_id, NEW.deposit_id, NEW.line_id, NEW.text,
            NEW.asked_by_id, NEW.asked_at)
        IS DISTINCT FROM (OLD.center_id, OLD.deposit_id, OLD.line_id, OLD.text, OLD.asked_by_id,
            OLD.asked_at) THEN
        RAISE EXCEPTION 'A question stays as it was asked and answered.' USING ERRCODE = 'RC001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER reconciliation_question_rules BEFORE UPDATE ON reconciliation_question
    FOR EACH ROW EXECUTE FUNCTION reconciliation_guard_question();
CREATE TRIGGER reconciliation_question_kept BEFORE DELETE OR TRUNCATE ON reconciliation_question
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change();
