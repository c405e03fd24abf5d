-- race: the latest report, districts before other agencies, the attributed district before other districts
WITH reports AS (
    SELECT c.person_id, c.cohort_year, l.level,
        ROW_NUMBER() OVER (
            PARTITION BY c.person_id, c.cohort_year
            ORDER BY CASE d.kind WHEN 'k12' THEN 1 ELSE 2 END,
                CASE WHEN d.school_year <= c.last_year THEN 1 ELSE 2 END,
                d.school_year DESC,
                CASE WHEN d.provider = c.district THEN 1 ELSE 2 END,
                d.provider, l.level
        ) AS place
    FROM cohort AS c
    JOIN demographics AS d ON d.person_id = c.person_id
    JOIN levels AS l ON l.code = d.race_ethnicity
)
SELECT person_id, cohort_year, level FROM reports WHERE place = 1
