-- What the search over accounts needs: words of names and addresses, and digits of numbers.

-- The words of a name or an address: lower case, without accents, apostrophes or punctuation.
CREATE FUNCTION registry_words(written text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT pg_catalog.array_remove(pg_catalog.regexp_split_to_array(
        pg_catalog.lower(pg_catalog.translate(
            public.unaccent('public.unaccent'::pg_catalog.regdictionary, written), '''’`', '')),
        '[][\s,.;:/\\#&()"_–—-]+'), '')
$$;

CREATE FUNCTION registry_digits(written text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT pg_catalog.regexp_replace(written, '[^0-9]+', '', 'g')
$$;

-- Numbers of accounts, parcels and phones by their digits alone, from the left.
CREATE INDEX registry_account_digits
    ON ledger_account (ltrim(registry_digits(number), '0') text_pattern_ops);
CREATE INDEX registry_parcel_digits
    ON registry_property (registry_digits(parcel_number) text_pattern_ops);
CREATE INDEX registry_phone_local
    ON registry_contact ("right"(value, 7) text_pattern_ops) WHERE kind = 'phone';

-- Names and addresses by their words.
CREATE INDEX registry_name_words ON registry_customer
    USING gin (array_to_tsvector(registry_words(name)));
CREATE INDEX registry_address_words ON registry_property
    USING gin (array_to_tsvector(registry_words(address)));

-- Every word in use, so that a mistyped word is compared with some thousands of words by its
-- trigrams and not with a million names. Words only come: one that is no longer used finds nothing.
CREATE FUNCTION registry_learn_words() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format(
        'INSERT INTO registry_searchword (word, is_name)
         SELECT DISTINCT left(w, 40) AS word, %L::boolean
         FROM added, unnest(registry_words(added.%I)) AS w
         WHERE w !~ ''[0-9]'' AND length(w) > 1
         ORDER BY word ON CONFLICT DO NOTHING',
        TG_ARGV[0] = 'name', TG_ARGV[0]);
    RETURN NULL;
END $$;

CREATE TRIGGER registry_words_of_new_names AFTER INSERT ON registry_customer
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION registry_learn_words('name');
CREATE TRIGGER registry_words_of_changed_names AFTER UPDATE ON registry_customer
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION registry_learn_words('name');
CREATE TRIGGER registry_words_of_new_addresses AFTER INSERT ON registry_property
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION registry_learn_words('address');
CREATE TRIGGER registry_words_of_changed_addresses AFTER UPDATE ON registry_property
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION registry_learn_words('address');

-- Numbers for accounts that are opened without one of their own.
CREATE SEQUENCE registry_account_number START 10000001;
