-- Nothing of a city's rebill is posted before another person approved it.

CREATE FUNCTION rebilling_guard_chunks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.posted_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM rebilling_cityrebill r
            WHERE r.id = NEW.rebill_id AND r.approved_by_id IS NOT NULL) THEN
        RAISE EXCEPTION 'Rebill % of the city is not approved.', NEW.rebill_id
            USING ERRCODE = 'LG001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER rebilling_citychunk_approved BEFORE INSERT OR UPDATE ON rebilling_citychunk
    FOR EACH ROW EXECUTE FUNCTION rebilling_guard_chunks();
