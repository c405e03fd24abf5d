-- readiness-instrument: the first entry assessment of the school year
WITH assessments AS (
    SELECT c.person_id, c.cohort_year, l.level,
        ROW_NUMBER() OVER (
            PARTITION BY c.person_id, c.cohort_year ORDER BY r.assessed_on, l.level
        ) AS place
    FROM cohort AS c
    JOIN readiness AS r ON r.person_id = c.person_id AND r.school_year = c.cohort_year
    JOIN levels AS l ON l.code = r.instrument
    WHERE r.total_score IS NOT NULL OR r.band IS NOT NULL
)
SELECT person_id, cohort_year, level FROM assessments WHERE place = 1
