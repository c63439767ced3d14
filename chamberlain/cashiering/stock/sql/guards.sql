-- Where a number is follows from the moves, and a move takes only what is there.

CREATE FUNCTION stock_follow_move() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    moved int8range := int8range(NEW.first, NEW.last, '[]');
    held int8multirange;
    around int8range;
BEGIN
    IF NEW.source_id IS NOT NULL THEN
        -- Who takes from a place waits for whoever takes from it now.
        PERFORM 1 FROM stock_place WHERE id = NEW.source_id FOR NO KEY UPDATE;
        SELECT range_agg(numbers) INTO held FROM stock_held
            WHERE kind_id = NEW.kind_id AND place_id = NEW.source_id AND numbers && moved;
        IF held IS NULL OR NOT held @> moved THEN
            RAISE EXCEPTION 'Not all of % to % of kind % are at place %.', NEW.first, NEW.last,
                NEW.kind_id, NEW.source_id USING ERRCODE = 'ST001';
        END IF;
        DELETE FROM stock_held
            WHERE kind_id = NEW.kind_id AND place_id = NEW.source_id AND numbers && moved;
        INSERT INTO stock_held (kind_id, place_id, numbers)
            SELECT NEW.kind_id, NEW.source_id, unnest(held - int8multirange(moved));
    END IF;
    -- What is sold lies in no order, and sales at two tills do not wait for each other.
    IF NOT EXISTS (SELECT FROM stock_place WHERE id = NEW.target_id AND role = 'sold') THEN
        WITH beside AS (
            DELETE FROM stock_held
                WHERE kind_id = NEW.kind_id AND place_id = NEW.target_id AND numbers -|- moved
                RETURNING numbers
        )
        SELECT range_merge(range_agg(numbers) + int8multirange(moved)) INTO around FROM beside;
    END IF;
    INSERT INTO stock_held (kind_id, place_id, numbers)
        VALUES (NEW.kind_id, NEW.target_id, coalesce(around, moved));
    RETURN NULL;
END $$;

CREATE TRIGGER stock_move_followed AFTER INSERT ON stock_move
    FOR EACH ROW EXECUTE FUNCTION stock_follow_move();

-- What was sent, counted or sold stays as it was; it is accepted, settled or undone once.
CREATE FUNCTION stock_keep_handover() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.kind_id, NEW.source_id, NEW.target_id, NEW.spans, NEW.document, NEW.sent_by_id,
            NEW.sent_at, NEW.idempotency_key)
        IS DISTINCT FROM (OLD.kind_id, OLD.source_id, OLD.target_id, OLD.spans, OLD.document,
            OLD.sent_by_id, OLD.sent_at, OLD.idempotency_key)
        OR (OLD.accepted_at IS NOT NULL AND (NEW.arrived, NEW.accepted_by_id, NEW.accepted_at)
            IS DISTINCT FROM (OLD.arrived, OLD.accepted_by_id, OLD.accepted_at))
        OR OLD.settled_at IS NOT NULL THEN
        RAISE EXCEPTION 'Handover % may not be changed so.', OLD.id USING ERRCODE = 'CS002';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION stock_keep_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.is_settled OR (NEW.place_id, NEW.kind_id, NEW.spans, NEW.missing, NEW.surplus,
            NEW.counted_by_id, NEW.counted_at, NEW.last_move)
        IS DISTINCT FROM (OLD.place_id, OLD.kind_id, OLD.spans, OLD.missing, OLD.surplus,
            OLD.counted_by_id, OLD.counted_at, OLD.last_move) THEN
        RAISE EXCEPTION 'Count % may not be changed so.', OLD.id USING ERRCODE = 'CS002';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION stock_keep_sale() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.undone_at IS NOT NULL OR (NEW.session_id, NEW.kind_id, NEW.number, NEW.obligation_id,
            NEW.sold_at)
        IS DISTINCT FROM (OLD.session_id, OLD.kind_id, OLD.number, OLD.obligation_id, OLD.sold_at)
    THEN
        RAISE EXCEPTION 'Sale % may not be changed so.', OLD.id USING ERRCODE = 'CS002';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER stock_handover_rules BEFORE UPDATE ON stock_handover
    FOR EACH ROW EXECUTE FUNCTION stock_keep_handover();
CREATE TRIGGER stock_count_rules BEFORE UPDATE ON stock_count
    FOR EACH ROW EXECUTE FUNCTION stock_keep_count();
CREATE TRIGGER stock_sale_rules BEFORE UPDATE ON stock_sale
    FOR EACH ROW EXECUTE FUNCTION stock_keep_sale();
CREATE TRIGGER stock_move_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_move
    FOR EACH STATEMENT EXECUTE FUNCTION cashiering_refuse_change();

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['stock_handover', 'stock_count', 'stock_sale', 'stock_place'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION cashiering_refuse_change()', name || '_kept', name);
    END LOOP;
END $$;

-- Every center has its safe and every till its place from the first moment.
CREATE FUNCTION stock_place_of_center() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO stock_place (role, center_id) VALUES ('safe', NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION stock_place_of_till() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO stock_place (role, till_id) VALUES ('till', NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER stock_center_has_a_safe AFTER INSERT ON identity_center
    FOR EACH ROW EXECUTE FUNCTION stock_place_of_center();
CREATE TRIGGER stock_till_has_a_place AFTER INSERT ON cashiering_till
    FOR EACH ROW EXECUTE FUNCTION stock_place_of_till();

INSERT INTO stock_place (role) SELECT unnest(ARRAY['store', 'under_way', 'sold', 'spoiled',
    'missing', 'sent_back']);
INSERT INTO stock_place (role, center_id) SELECT 'safe', id FROM identity_center;
INSERT INTO stock_place (role, till_id) SELECT 'till', id FROM cashiering_till;
