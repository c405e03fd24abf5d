-- english-learner: ever before never
WITH reports AS (
    SELECT c.person_id, c.cohort_year, l.level,
        ROW_NUMBER() OVER (
            PARTITION BY c.person_id, c.cohort_year
            ORDER BY CASE l.level WHEN 'ever-english-learner' THEN 1 ELSE 2 END
        ) AS place
    FROM cohort AS c
    JOIN demographics AS d ON d.person_id = c.person_id AND d.kind = 'k12' AND d.school_year <= c.last_year
    JOIN levels AS l ON l.code = d.english_learner_status
)
SELECT person_id, cohort_year, level FROM reports WHERE place = 1
